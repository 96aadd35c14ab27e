"""Small pictures of a known pattern, by which each decoder proves that it still works once it is confined.

A library that is refused something it needs often answers as if the file were damaged. So a decoder that cannot give
back the pattern is taken out of service, and says so, before it sees evidence.
"""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

from kaval.media.pdq import Pdq, Pixels, pdq_of_luma

_NEAR = 31


def pattern() -> Pixels:
    """Return 96 by 96 pixels of grey steps and slopes."""
    down, across = np.mgrid[0:96, 0:96]
    slopes = (across * across + 3 * across * down // 2) // 40 + down
    steps = 90 * ((across // 24 + down // 32) % 2)
    pixels: Pixels = ((slopes + steps) % 256).astype(np.uint8)
    return pixels


def by_pillow(plugin: str) -> bytes:
    """Return the pattern as a file of one of Pillow's formats."""
    stream = io.BytesIO()
    Image.fromarray(pattern()).save(stream, plugin)
    return stream.getvalue()


def is_pattern(pdq: bytes, quality: int) -> bool:
    """Say whether a hash is the pattern's, give or take what compression changes."""
    expected: Pdq = pdq_of_luma(pattern())
    distance = (int.from_bytes(pdq) ^ int.from_bytes(expected.hashes[0])).bit_count()
    return distance <= _NEAR and quality == expected.quality


# The pattern as pillow-heif and Pillow write it with quality 20; their encoders start threads and are not run here.
HEIC = base64.b85decode(
    "0000SW^{RQXk}@500000ZE0pPXk}@5ZE0a<0003_ZDn*}000000000XXk=`10000000000aA{+700000000000000000000B57=I"
    "V*mgE07O6l0RRC200001asUAU00000008R%001LtX>Mi!000000RR916=`l}WdZ;I000310BCk&F#rGn01j|zbZr0t000010002a"
    "X>f9I00025X>en20001TXm(>m0R#vD005u(000009`FGC{P_3)01pFT0096OKmiN^|NjIC00093pZEX(0{{RXx&lC90096dLID8;"
    "2mk;B0H62(00RI39>Br|7F($#rn#^n00096AOHXZ03l)k0RRU?0l{*xB0vBD025<xY;ta6Y<K_x01W^JfB*mh6lrsCWdHyG00000"
    "U;qFBU;qFB4sdCBX#fBK009U9000+haBX1#00000000310R({p0|Wp70P}5RVRQfh0Ou$Ht`@+n(<;fECUInkupAQW(wKS>OdmI9"
    "abevbwgGC6cI8B@?QWjb0sMZptNkr(1HHL$D7kbtXp9}5q+4HX3!&{?%e`-"
    "4+PlR!{c^|h_#8YOxhL?|zE_|)$L^^VU1Rr?Du8H)ru4}BDdP<Lk#X96|M-"
    "tEt%3E15L_xOvZj_0dtT&OYH<MX=^#klg!mMPw;R#Go<d{(sjG*9qnTp1mMg{ujZk1(l0PgiMc6cQ4AL+G@r|pp9QWylLBoQm0E8"
    "yQzcqc&4&r}b8vfyY>)S#9l<cM<<e8cTkybfZZ~"
)
AVIF = base64.b85decode(
    "0000SW^{RQVRmU|00000VRmU|ZE0pPZE0a<0002#ZDn*}000000000XXk=`10000000000aA{+7000000000000000000004sdC7"
    "Z2$lO000310016oY;R)#0000)000310RR910RR924FCWE9RL6TC~0YKW&i*H00031000_kZf0cy000000RRADb}%tRZ)|UJ00000"
    "XlZbAZ~y=RNojCnZvX%Q6lrsCWdHyG00000U;qFBU;qFB4sdCBX#fBK009U9000bOb}>VN02}}S000wXZ)|dIV{CW;0RRmE27mwn"
    "02gU+ZD9Za00000009621OWnr1ONa5C2eG3bP@mx2^bl#-"
    ")Vq`gHSS!0uy0pcN_~9fX~RLv8Tkxp+r!jPJQ}ilSu$xgLxI~%@_jLuN1eT2zLf(i)8c>Sl5F2+;x!G>&o3Dy<3-"
    "lUpFAwV>s=3YIL#+8pH+NisO@x>}F6@b=A5k{pZa?Gp7!^8X{$rVRmho5T7aAUMH*jQ_-y8i#Q)5>)t-"
    "@Ki5H7w$y%VzDsV3!y#Yhy|@4iVC4NG7}B3V=`c~qo2p!coG@#2H9;@3U=K8hQC+Kbbc~>!Gq{J|^I;TAuA>mtBy*W7R7DUkbEf_"
    "q!#L{*uIxcZ)HH^TqRD{)2W57v!~Cdt52?PE=Krzdm#64^vR%E2HU>F0;v68R*<e|(G)OW;Ym(MMoG1"
)
