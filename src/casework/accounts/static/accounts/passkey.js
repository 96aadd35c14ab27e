// Asks the browser for a passkey. Options and answers travel as JSON with base64url bytes (WebAuthn level 3, section 5.1.8).
"use strict";

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const listed = (keys) => (keys || []).map((key) => ({ ...key, id: bytes(key.id) }));

function answer(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = text(credential.response[name]);
  }
  return { id: credential.id, rawId: text(credential.rawId), type: credential.type, response, clientExtensionResults: {} };
}

async function ask(button) {
  const asked = await fetch(button.dataset.passkey, { headers: { Accept: "application/json" } });
  const { publicKey } = await asked.json();
  publicKey.challenge = bytes(publicKey.challenge);
  if (button.dataset.kind === "make") {
    publicKey.user.id = bytes(publicKey.user.id);
    publicKey.excludeCredentials = listed(publicKey.excludeCredentials);
    return navigator.credentials.create({ publicKey });
  }
  publicKey.allowCredentials = listed(publicKey.allowCredentials);
  return navigator.credentials.get({ publicKey });
}

async function use(button) {
  const told = document.getElementById(button.getAttribute("aria-describedby"));
  told.textContent = "";
  try {
    const body = answer(await ask(button));
    const name = document.getElementById("passkey-name");
    if (name) body.name = name.value;
    const sent = await fetch(button.dataset.passkey, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": button.form.elements.csrfmiddlewaretoken.value },
      body: JSON.stringify(body),
    });
    if (!sent.ok) throw new Error(sent.status);
    window.location.assign((await sent.json()).next);
  } catch (fault) {
    told.textContent = button.dataset.failed;
  }
}

for (const button of document.querySelectorAll("button[data-passkey]")) {
  if (!window.PublicKeyCredential) continue;
  button.closest("[hidden]")?.removeAttribute("hidden");
  button.addEventListener("click", () => use(button));
}
