"""Tools of models served by the Model Context Protocol (https://modelcontextprotocol.io), with its official SDK."""
