"""The shape of what a person says about a file."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import validate_slug
from django.utils.translation import gettext_lazy as _

from mis.models import ImportJob
from staff.access import Actor
from staff.models import Branch


class UploadForm(forms.Form):
    """A file and where it comes from. Rows of one source are recognised when they come again."""

    file = forms.FileField(label=_("File"), help_text=_("CSV, XLSX, XLS or ODS, up to 200 MB"))
    kind = forms.ChoiceField(label=_("What is in it"), required=False)
    source = forms.CharField(
        label=_("Where it comes from"),
        max_length=40,
        initial="excel",
        validators=[validate_slug],
        help_text=_("A short name in latin letters; keep the same one for files of the same system"),
    )
    branch = forms.ModelChoiceField(
        Branch.objects.none(), label=_("Branch"), required=False, empty_label=_("as the file says")
    )

    def __init__(self, *args: Any, by: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [("", _("find out by the columns")), *ImportJob.Kind.choices]  # type: ignore[attr-defined]
        branches = Branch.objects.order_by("name")
        own = branches if by.branch_id is None else branches.filter(pk=by.branch_id)
        self.fields["branch"].queryset = own  # type: ignore[attr-defined]
        self.fields["file"].widget.attrs["accept"] = ".csv,.txt,.tsv,.xlsx,.xls,.ods"
