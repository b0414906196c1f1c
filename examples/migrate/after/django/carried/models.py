"""Which account of before belongs to which issuer and subject."""

from typing import ClassVar

from django.conf import settings
from django.db import models


class Carried(models.Model):
    issuer = models.CharField(max_length=255)
    subject = models.CharField(max_length=255)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)

    objects: ClassVar[models.Manager["Carried"]] = models.Manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="carried_identity"),
            models.UniqueConstraint(fields=["issuer", "user"], name="carried_user"),
        ]

    def __str__(self) -> str:
        return f"{self.subject}: {self.user}"
