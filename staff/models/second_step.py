"""The second step of signing in: django-otp's devices, their secrets kept so that a stolen database opens nothing."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

NONCE = 12
KEY_BYTES = 20
CODES = 10
CODE_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def _keys() -> list[bytes]:
    """One AES key for SECRET_KEY and one for each that was in force before it."""
    texts = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [hashlib.sha256(b"staff.second_step\x00" + text.encode()).digest() for text in texts]


def sealed(secret: bytes, owner: int) -> str:
    """`secret` under AES-GCM, bound to its owner: a row copied to another account does not open."""
    nonce = secrets.token_bytes(NONCE)
    box = AESGCM(_keys()[0]).encrypt(nonce, secret, str(owner).encode())
    return base64.urlsafe_b64encode(nonce + box).decode()


def opened(text: str, owner: int) -> bytes:
    """What `sealed` kept. Raises InvalidTag when no key in force fits."""
    box = base64.urlsafe_b64decode(text)
    for key in _keys():
        try:
            return AESGCM(key).decrypt(box[:NONCE], box[NONCE:], str(owner).encode())
        except InvalidTag:
            continue
    raise InvalidTag


class CodeDevice(TOTPDevice):
    """A person's authenticator app (TOTP). The key is kept encrypted; it is shown once, while it is set up."""

    class Meta:
        proxy = True

    @classmethod
    def fresh(cls, user_id: int) -> CodeDevice:
        """A new unconfirmed device, not saved yet."""
        key = sealed(secrets.token_bytes(KEY_BYTES), user_id)
        return cls(user_id=user_id, name="app", confirmed=False, key=key)

    @property
    def bin_key(self) -> bytes:
        return opened(self.key, self.user_id)

    @property
    def typed_key(self) -> str:
        """The key as it is typed by hand into an app: base32 in groups of four."""
        text = base64.b32encode(self.bin_key).decode()
        return " ".join(text[i : i + 4] for i in range(0, len(text), 4))


class RecoveryCodes(StaticDevice):
    """Ten codes for the day the phone is lost, each good once. Only their digests are kept."""

    class Meta:
        proxy = True

    def renew(self) -> list[str]:
        """Throws away the old codes and answers ten new ones, the only time that anybody sees them."""
        codes = ["".join(secrets.choice(CODE_LETTERS) for _ in range(10)) for _ in range(CODES)]
        self.token_set.all().delete()
        StaticToken.objects.bulk_create([StaticToken(device_id=self.pk, token=self.digests(code)[0]) for code in codes])
        return [f"{code[:5]}-{code[5:]}" for code in codes]

    def digests(self, code: str) -> list[str]:
        """Under the present key and those before it, each 16 letters long as the column is."""
        text = f"{self.user_id}:{code.lower().replace('-', '').replace(' ', '')}".encode()
        return [base64.b32encode(hmac.new(key, text, hashlib.sha256).digest()[:10]).decode().lower() for key in _keys()]

    def verify_token(self, token: str) -> bool:
        kept = self.token_set.filter(token__in=self.digests(token)).first()
        return bool(super().verify_token(kept.token if kept else ""))
