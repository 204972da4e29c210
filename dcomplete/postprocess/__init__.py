"""What becomes of a model's text before an editor shows it: text in, text out, or a refusal.

Every rule is a pure function; ``RULES.md`` names its source and its test.
"""

from dcomplete.postprocess.chain import FILTERS, rank, refine
from dcomplete.postprocess.closing import closing
from dcomplete.postprocess.proposal import Filter, Proposal, Surroundings

__all__ = ["FILTERS", "Filter", "Proposal", "Surroundings", "closing", "rank", "refine"]
