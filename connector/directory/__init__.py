"""Countries, authorities, and which connector serves whom.

`load_directory(path)` gives a `Directory` of `Authority` entries; `country(code)` a `Country`.
"""

from connector.directory.authorities import Authority, Directory, Office, load_directory
from connector.directory.countries import Country, country

__all__ = ["Authority", "Country", "Directory", "Office", "country", "load_directory"]
