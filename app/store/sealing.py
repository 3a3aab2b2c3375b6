"""What is made of a password: the local verifier, the key that is shown to the server, the seal around a secret."""

from __future__ import annotations

import base64
import hashlib
import secrets
from uuid import UUID

from app.domain.errors import Refused

# scrypt as OWASP's password storage sheet has it for 32 MiB: about 0.1 s, once a login.
_SCRYPT_N, _SCRYPT_R, _SCRYPT_P = 1 << 15, 8, 1
_SCRYPT_MEMORY = 64 * 1024 * 1024
_KEY_BYTES, _SALT_BYTES, _NONCE_BYTES = 32, 16, 12
_MEMORY_KIB, _ROUNDS, _LANES = 1 << 20, 64, 64
"""The most that terms from a server may ask of this computer: 1 GiB, 64 rounds, 64 lanes."""


def terms_of(password_hash: str) -> tuple[str, bytes]:
    """An Argon2 hash in PHC form, split into its terms (all but the last part) and the raw key (bytes)."""
    terms, _, key = password_hash.rpartition("$")
    return terms, _unpadded(key)


def password_key(terms: str, password: str) -> bytes:
    """The raw Argon2id key of `password` under PHC `terms`, 32 bytes; about 50 ms.

    Raises `Refused` for terms that are no Argon2id or ask for more than a computer at a desk should give.
    """
    from argon2.low_level import Type, hash_secret_raw

    try:
        empty, kind, version, costs, salt = terms.split("$")
        asked = {name: int(value) for name, _, value in (part.partition("=") for part in costs.split(","))}
        memory, rounds, lanes = asked["m"], asked["t"], asked["p"]
        known = (empty, kind, version) == ("", "argon2id", "v=19")
        salt_bytes = _unpadded(salt)
    except (ValueError, KeyError):
        known, memory, rounds, lanes, salt_bytes = False, 0, 0, 0, b""
    if not known or not (
        8 * lanes <= memory <= _MEMORY_KIB and 0 < rounds <= _ROUNDS and 0 < lanes <= _LANES
    ):
        raise Refused("The server asks for passwords in a way that this Lineside does not know; update it.")
    return hash_secret_raw(password.encode(), salt_bytes, rounds, memory, lanes, _KEY_BYTES, Type.ID)


def verifier(terms: str, key: bytes) -> str:
    """The PHC hash that `terms_of` splits."""
    return f"{terms}${base64.b64encode(key).decode().rstrip('=')}"


def key_hash(key: bytes) -> str:
    """What the server keeps of a key, in hex: who reads the server's table cannot log in with it."""
    return hashlib.sha256(key).hexdigest()


def seal(secret: bytes, password: str, owner: UUID) -> tuple[str, str]:
    """`secret` sealed with a key made from `password`: the salt and the sealed text, both base64."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    salt, nonce = mark_of(secret), secrets.token_bytes(_NONCE_BYTES)
    key = _seal_key(password, base64.b64decode(salt))
    return salt, base64.b64encode(nonce + AESGCM(key).encrypt(nonce, secret, owner.bytes)).decode()


def mark_of(secret: bytes) -> str:
    """Tells which secret it is and nothing of it, base64: as salt of a seal, it says which one is sealed.

    A secret is 256 bits that nobody can guess, different for each person, station and password.
    """
    return base64.b64encode(hashlib.sha256(b"seal of " + secret).digest()[:_SALT_BYTES]).decode()


def unseal(salt: str, sealed: str, password: str, owner: UUID) -> bytes | None:
    """What was sealed; None when it was sealed with another password or for somebody else."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    key, whole = _seal_key(password, base64.b64decode(salt)), base64.b64decode(sealed)
    try:
        return AESGCM(key).decrypt(whole[:_NONCE_BYTES], whole[_NONCE_BYTES:], owner.bytes)
    except InvalidTag:
        return None


def _seal_key(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(
        password.encode(),
        salt=salt,
        n=_SCRYPT_N,
        r=_SCRYPT_R,
        p=_SCRYPT_P,
        maxmem=_SCRYPT_MEMORY,
        dklen=_KEY_BYTES,
    )


def _unpadded(text: str) -> bytes:
    """Base64 as PHC writes it: without padding. Raises ValueError."""
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
