"""emla: a connector for mutual legal assistance between ministries."""

__version__ = "0.1.0"
