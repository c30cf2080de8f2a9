"""What a service says no with. The sentence is for the person; views show it beside the field or on a page."""


class ServiceError(Exception):
    """A request that cannot be carried out."""

    def __init__(self, sentence: str, *, field: str | None = None):
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field


class Invalid(ServiceError):
    """Something typed cannot be right; `errors` holds a sentence per field."""

    def __init__(self, errors: dict[str, str]):
        super().__init__(next(iter(errors.values())), field=next(iter(errors)))
        self.errors = errors


class NotFound(ServiceError):
    """No such thing in this company."""

    def __init__(self, sentence: str = "This does not exist, or belongs to another company."):
        super().__init__(sentence)


class NotNow(ServiceError):
    """Right in itself, but not in this state: something else has to be done first."""
