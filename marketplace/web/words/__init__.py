"""How pages speak: Chinese first, English complete, numbers and days as readers write them.

Both languages stand side by side where they are used, `t("中文", "English")`: nothing can be left
untranslated, and whoever reads a template reads what people read (docs/adr/0014).
"""

from marketplace.web.words.labels import Label, label
from marketplace.web.words.speech import LANGUAGES, Speech
from marketplace.web.words.told import Told, told

__all__ = ["LANGUAGES", "Label", "Speech", "Told", "label", "told"]
