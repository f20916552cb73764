from __future__ import annotations

from tests.identity.conftest import house as house
from tests.identity.conftest import quick as quick
