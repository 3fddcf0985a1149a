// Passkeys: a form that the browser's own dialog fills in. Where there is none, the form stays hidden.

async function signed(form) {
  const { passkey: begin, ceremony = "" } = form.dataset
  const answer = await fetch(begin, { method: "POST", body: new URLSearchParams({ ceremony }) })
  if (!answer.ok) throw new Error("no ceremony")
  const options = await answer.json()
  if (ceremony === "enrol") {
    return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
  }
  return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) })
}

const isThere = "PublicKeyCredential" in window && "parseCreationOptionsFromJSON" in PublicKeyCredential

for (const form of isThere ? document.querySelectorAll("form[data-passkey]") : []) {
  form.hidden = false
  form.addEventListener("submit", async (event) => {
    event.preventDefault()
    const said = form.querySelector("[role=alert]")
    const button = form.querySelector("button")
    said.hidden = true
    button.disabled = true
    try {
      const credential = await signed(form)
      form.querySelector("input[name$=passkey]").value = JSON.stringify(credential.toJSON())
      form.submit()
    } catch {
      // Cancelled, refused by the device, or no answer: nothing was sent, and the page says so.
      said.hidden = false
      button.disabled = false
    }
  })
}
