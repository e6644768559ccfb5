"""Where a region is: every provider spells regions its own way, and people ask for 'us' or 'europe'.

A region's name is cut into words and each word looked up; Azure's joined words
('northcentralus') are taken apart by their endings and country names.
"""

import difflib
import re
from functools import cache

from acreage.units.errors import InputError

_PARENTS = {
    "us": ("north-america",),
    "canada": ("north-america",),
    "mexico": ("north-america",),
    "brazil": ("south-america",),
    "chile": ("south-america",),
    "south-america": ("south-america",),
    "uk": ("europe",),
    "japan": ("asia",),
    "korea": ("asia",),
    "india": ("asia",),
    "china": ("asia",),
    "singapore": ("asia",),
    "taiwan": ("asia",),
    "australia": ("oceania",),
    "middle-east": ("middle-east",),
}
_WORDS = {
    "us": "us usa gov nyc sfo ashburn phoenix chicago sanjose dallas dulles austin houston desmoines "
    "kansascity newyork saltlakecity culpeper lasvegas texas oregon michigan oklahoma georgia virginia ohio "
    "california washington utah",
    "canada": "ca can canada montreal calgary toronto tor northamerica-northeast1 northamerica-northeast2",
    "mexico": "mx mexico queretaro northamerica-south1",
    "brazil": "br brazil saopaulo",
    "chile": "cl chile santiago",
    "south-america": "sa southamerica sao",
    "uk": "gb uk london",
    "europe": "eu europe fr france paris de germany frankfurt nl netherlands ams amsterdam it italy milan es "
    "spain pl poland waw warsaw se sweden no norway fin fi finland ice is iceland ie ireland ch switzerland "
    "zurich at austria be belgium cz dk denmark bg bulgaria si slovenia ro pt portugal bavaria lt ee hu par "
    "fsn hel nbg gr greece northeurope westeurope",
    "japan": "jp japan tokyo osaka",
    "korea": "kr korea seoul",
    "india": "in india mumbai hyderabad jio",
    "china": "cn china hk hongkong",
    "singapore": "sg singapore",
    "taiwan": "tw taiwan",
    "asia": "ap asia as asiapacific malaysia indonesia thailand vietnam eastasia southeastasia th vn my jakarta",
    "australia": "au aus australia sydney melbourne oceania newzealand nz oc",
    "middle-east": "me il israel uae qatar ae saudi dubai bahrain",
    "africa": "af africa za southafrica casablanca johannesburg",
}
_WORD_AREA = {word: area for area, names in _WORDS.items() for word in names.split()}
_AWS_AREAS = {
    "ap-northeast-1": "japan",
    "ap-northeast-3": "japan",
    "ap-northeast-2": "korea",
    "ap-south-1": "india",
    "ap-south-2": "india",
    "ap-southeast-1": "singapore",
    "ap-southeast-2": "australia",
    "ap-southeast-4": "australia",
    "ap-southeast-6": "australia",
    "ap-east-2": "taiwan",
    "ca-central-1": "canada",
    "ca-west-1": "canada",
    "eu-west-2": "uk",
    "sa-east-1": "brazil",
    "asia-northeast1": "japan",
    "asia-northeast2": "japan",
    "asia-northeast3": "korea",
    "asia-south1": "india",
    "asia-south2": "india",
    "asia-southeast1": "singapore",
    "asia-east1": "taiwan",
    "europe-west2": "uk",
    "southamerica-east1": "brazil",
    "southamerica-west1": "chile",
    "northamerica-northeast1": "canada",
    "northamerica-northeast2": "canada",
    "northamerica-south1": "mexico",
    "north-america": "north-america",
}
"""Regions of AWS and Google Cloud whose country their name does not say."""
_AZURE_COUNTRY = re.compile(
    r"(australia|newzealand|brazil|canada|mexico|chile|india|japan|korea|france|germany|italy|norway|poland|spain|sweden|"
    r"switzerland|austria|belgium|denmark|finland|greece|israel|qatar|uae|southafrica|malaysia|indonesia|taiwan|china|"
    r"uk)"
)
_AZURE_US = re.compile(r"^(usgov|usdod)?(east|west|central|northcentral|southcentral|westcentral|south|north)us\d?$")

ALIASES = {
    "usa": "us",
    "america": "us",
    "eu": "europe",
    "emea": "europe",
    "apac": "asia",
    "ap": "asia",
    "ca": "canada",
    "in": "india",
    "jp": "japan",
    "gb": "uk",
    "au": "australia",
}
GROUPS = frozenset(_PARENTS) | frozenset(_WORDS) | {area for areas in _PARENTS.values() for area in areas}
GLOBAL = "global"


@cache
def areas_of(region: str) -> frozenset[str]:
    """The areas a region lies in: 'eastus2' gives us and north-america; empty where the name says nothing."""
    text = region.lower()
    area = _AWS_AREAS.get(text) or _AWS_AREAS.get(re.sub(r"-[a-f]$", "", text)) or _azure_area(text) or _word_area(text)
    return frozenset((area, *_PARENTS.get(area, ()))) if area else frozenset()


def _azure_area(text: str) -> str:
    if _AZURE_US.match(text) or text.startswith(("usgov", "usdod")):
        return "us"
    if not text.isalnum():
        return ""
    found = _AZURE_COUNTRY.search(text)
    return _WORD_AREA.get(found[1], "") if found else _WORD_AREA.get(re.sub(r"\d+$", "", text), "")


def _word_area(text: str) -> str:
    if "/" in text:  # marketplaces write Texas/US/NA: the country stands before the continent
        text = text.split("/")[-2]
    parts = [part for part in re.split(r"[^a-z]+", text) if part]
    return next((_WORD_AREA[part] for part in parts if part in _WORD_AREA), "")


def matches(region: str, wanted: str) -> bool:
    """Whether a region is within what was asked for: an area, or a prefix of the region's name.

    A price list that holds everywhere matches every region.
    """
    asked = wanted.lower().strip()
    text = region.lower()
    if text in (GLOBAL, asked):
        return True
    area = ALIASES.get(asked, asked)
    return area in areas_of(region) if area in GROUPS else text.startswith(asked)


def matching(regions: list[str], wanted: str) -> list[str]:
    """The regions that match; raises `InputError` with the nearest name where none but 'global' does."""
    found = [region for region in regions if matches(region, wanted)]
    asked = wanted.lower().strip()
    if any(region != GLOBAL for region in found) or asked in GROUPS or asked in ALIASES or asked == GLOBAL:
        return found
    near = difflib.get_close_matches(asked, [*GROUPS, *(region.lower() for region in regions)], n=1, cutoff=0.4)
    fix = f"did you mean {near[0]}?" if near else "write for example us, europe or us-east-1"
    raise InputError(f"no region {wanted!r} in the price book", fix=fix)
