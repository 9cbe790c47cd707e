"""Shared by the sinks that post over HTTP with Python's own library."""
import base64
import urllib.error
import urllib.request
from http.client import HTTPException
from urllib.parse import unquote, urlsplit, urlunsplit

from stream import TemporarilyUnavailable


class ConnectionCut(TemporarilyUnavailable):
    """Possibly by a server that sent 413 without reading the whole request, so that its response was lost."""


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirection would send the password to another address."""

    def redirect_request(self, *_):
        return None


OPENER = urllib.request.build_opener(NoRedirect)


def join(server, path, query=""):
    """Returns the address of a path of a server, and the headers that replace user:password@ in it."""
    parts = urlsplit(server)
    host = parts.netloc.rpartition("@")[2]
    headers = {}
    if parts.username:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    return urlunsplit((parts.scheme, host, f"{parts.path.rstrip('/')}/{path}", query, "")), headers


def post(url, body, headers):
    """Returns the status and the body, or the beginning of the body of an error."""
    try:
        with OPENER.open(urllib.request.Request(url, body, headers), timeout=60) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, read_beginning(error)
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        is_dead = isinstance(error, HTTPException)  # No complete response: the server died.
        is_reset = isinstance(reason, (BrokenPipeError, ConnectionResetError)) and not is_dead
        raise (ConnectionCut if is_reset else TemporarilyUnavailable)(f"{url}: {reason}") from error


def read_beginning(response):
    try:
        return response.read(4000)
    except (OSError, HTTPException):
        return b""
