"""Results from elsewhere: the published study, lm-eval's own result files, files in the study's format, bundles.

Every import becomes a run whose id carries a hash of what was imported, so importing again changes nothing.
"""

from warehouse.importers.batch import ImportReport
from warehouse.importers.files import import_path, import_paths
from warehouse.importers.published import import_published
from warehouse.importers.replaced import WouldReplaceError

__all__ = ["ImportReport", "WouldReplaceError", "import_path", "import_paths", "import_published"]
