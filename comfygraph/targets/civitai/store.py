"""
Blobs, models and services of Civitai's orchestration API, one exchange each.
"""

from __future__ import annotations

from urllib.parse import quote, urlencode

from comfygraph.core.values import JsonValue
from comfygraph.errors import ProtocolError
from comfygraph.references.air import Air
from comfygraph.targets.base import Exchange
from comfygraph.targets.civitai.calls import (
    Calls,
    Page,
    done,
    quoted,
    read_object,
    read_page,
    resource_path,
)
from comfygraph.targets.http import HttpRequest
from comfygraph.targets.reading import identifier, is_web_url, text

BLOBS = "/v2/consumer/blobs"


class StoreCalls(Calls):
    """
    Calls about what the service keeps.
    """

    def blob(
        self, blob_id: str, *, nsfw_level: str = "", workflow_id: str = "", download: bool = False
    ) -> HttpRequest:
        """
        Make the request for the bytes of a blob; the service redirects to its content.

        Args:
            blob_id: Its id.
            nsfw_level: The highest level that is meant to be seen; above it the service refuses.
            workflow_id: The workflow that it belongs to.
            download: Whether it is meant to be saved.
        """
        query = {
            name: value
            for name, value in (
                ("nsfwLevel", nsfw_level),
                ("workflowId", workflow_id),
                ("download", "true" if download else ""),
            )
            if value
        }
        tail = f"?{urlencode(query, errors='replace')}" if query else ""
        return HttpRequest(
            "GET",
            f"{self.base_url}{BLOBS}/{quoted(blob_id)}{tail}",
            auth=self.auth,
            home=self.base_url,
            follow=True,
            timeout=60.0,
        )

    def has_blob(self, blob_id: str) -> Exchange[bool]:
        """
        Tell whether a blob is there.
        """
        response = yield self.request("HEAD", f"{BLOBS}/{quoted(blob_id)}")
        if response.status == 404:
            return False
        done(response, "blob")
        return True

    def refresh_blob(self, blob_id: str) -> Exchange[dict[str, JsonValue]]:
        """
        Ask for a blob with a freshly signed `url`; its 30 days start anew.
        """
        return read_object(
            (yield self.request("POST", f"{BLOBS}/{quoted(blob_id)}/refresh")), "blob"
        )

    def upload_blob(self, data: bytes, media_type: str) -> Exchange[dict[str, JsonValue]]:
        """
        Bring a picture, a film or a sound to the service; gives its blob.
        """
        response = yield HttpRequest(
            "POST",
            f"{self.base_url}{BLOBS}",
            {"Accept": "application/json", "Content-Type": media_type},
            data,
            auth=self.auth,
            home=self.base_url,
            timeout=300.0,
        )
        found = read_object(response, "blob")
        if not identifier(found.get("id")):
            raise ProtocolError("Civitai took the file but named no blob", status=response.status)
        return found

    def upload_address(self) -> Exchange[str]:
        """
        Ask for an address to which a file can be posted without the token.
        """
        response = yield self.request("GET", f"{BLOBS}/upload")
        url = text(read_object(response, "address").get("uploadUrl"))
        if not is_web_url(url):
            raise ProtocolError("Civitai gave no address for uploads", status=response.status)
        return url

    def resource(self, air: str) -> Exchange[dict[str, JsonValue]]:
        """
        Ask what the service knows of a model; its answer has the AIR in the service's own form.
        """
        return read_object((yield self.request("GET", resource_path(Air.parse(air)))), "model")

    def resources(
        self, *, view: str = "queue", cursor: str = "", take: int = 100
    ) -> Exchange[Page]:
        """
        List the models that wait to be fetched (`queue`), or that are at hand (`loaded`).
        """
        query = {"view": view, "take": str(take), **({"cursor": cursor} if cursor else {})}
        return read_page((yield self.request("GET", "/v2/resources", query)))

    def services(self, *, prefix: str = "", query: str = "", limit: int = 100) -> Exchange[Page]:
        """
        List the kinds of steps that the service offers.
        """
        given = {"prefix": prefix, "query": query, "limit": str(limit)}
        pairs = {name: value for name, value in given.items() if value}
        return read_page((yield self.request("GET", "/v2/services", pairs)))

    def service(self, service_id: str) -> Exchange[dict[str, JsonValue]]:
        """
        Ask for one kind of step, such as `utility/customComfy`.
        """
        path = f"/v2/services/{quote(service_id, safe='/', errors='replace')}"
        return read_object((yield self.request("GET", path)), "service")
