"""Stores of records that threads, processes and hosts share."""

from oidc_adapters.stores.records.both import (
    AtOnce,
    InThreads,
    at_once,
    for_awaiting,
    for_waiting,
)
from oidc_adapters.stores.records.in_memory import MemoryRecords
from oidc_adapters.stores.records.ports import SLACK, AsyncRecords, Found, Records, Times

__all__ = [
    "SLACK",
    "AsyncRecords",
    "AtOnce",
    "Found",
    "InThreads",
    "MemoryRecords",
    "Records",
    "Times",
    "at_once",
    "for_awaiting",
    "for_waiting",
]
