"""Pair mode: two notebooks play two companies, and trade only files that companies trade."""

from certkit.lessons.pair.company import ClientCompany, ServerCompany
from certkit.lessons.pair.exchange import Exchange, Letter
from certkit.lessons.pair.steps import Step

__all__ = ["ClientCompany", "Exchange", "Letter", "ServerCompany", "Step"]
