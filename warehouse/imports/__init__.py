"""Results from elsewhere: the published study, lm-eval's own result files, files in the study's format, bundles.

Every import becomes a run whose id carries a hash of what was imported, so importing again changes nothing.
"""

from warehouse.imports.batch import ImportReport
from warehouse.imports.bundle import import_bundle, is_bundle
from warehouse.imports.files import import_path, import_paths
from warehouse.imports.published import import_published
from warehouse.imports.replaced import WouldReplaceError

__all__ = [
    "ImportReport", "WouldReplaceError", "import_bundle", "import_path", "import_paths", "import_published",
    "is_bundle",
]  # fmt: skip
