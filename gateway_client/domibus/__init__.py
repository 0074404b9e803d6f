"""Client of the Domibus WS plugin: messages go out and come in through somebody's own Domibus."""

from gateway_client.domibus.access import Access
from gateway_client.domibus.gateway import DomibusGateway

__all__ = ["Access", "DomibusGateway"]
