from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic_crm.settings")
