// Files of the server as bytes and as text.

export const fetchBytes = async (address) => new Uint8Array(await got(address, "arrayBuffer"));
export const fetchText = (address) => got(address, "text");

async function got(address, kind) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`there is no ${address}`);
  return response[kind]();
}
