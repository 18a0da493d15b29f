// Copy buttons are hidden until the script runs: they are of no use without it.
"use strict";

function offer(root) {
  for (const button of root.querySelectorAll("[data-copy]")) {
    button.hidden = false;
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const field = document.getElementById(button.dataset.copy);
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(field.value);
    button.textContent = button.dataset.copied;
    setTimeout(() => { button.textContent = label; }, 2000);
  } catch {
    field.select();
  }
});

offer(document);

// Passkey forms submit the credential that the browser creates or asserts. They are hidden if the
// browser does not support passkeys.
const passkeyForms = document.querySelectorAll("form[data-passkey]");
if (window.PublicKeyCredential?.parseCreationOptionsFromJSON) {
  for (const form of passkeyForms) {
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      const field = form.elements.namedItem("credential");
      if (field.value) return;
      event.preventDefault();
      const { publicKey } = JSON.parse(form.dataset.options);
      try {
        const credential = form.dataset.passkey === "create"
          ? await navigator.credentials.create({
            publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey),
          })
          : await navigator.credentials.get({
            publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey),
          });
        field.value = JSON.stringify(credential.toJSON());
      } catch {
        // The user cancelled: the empty credential makes the server show its error.
        field.value = "{}";
      }
      form.requestSubmit();
    });
  }
}
