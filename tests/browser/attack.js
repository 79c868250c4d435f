/* global document, navigator */
/** What a page can do by itself, in the page. @returns what it could read, which should be nothing */
globalThis.attack = async function (url, target) {
  const body = JSON.stringify(target.body ?? {});
  const read = [];
  const note = async (how, answer) => {
    try {
      const text = await (await answer).text();
      if (text !== '') read.push(`${how} read ${text.slice(0, 100)}`);
    } catch {
      // The browser kept it from the page.
    }
  };
  const submit = (type) =>
    new Promise((resolve) => {
      const frame = document.createElement('iframe');
      frame.name = `frame-${Math.random()}`;
      const form = document.createElement('form');
      const input = document.createElement('input');
      Object.assign(form, { method: target.method, action: url, enctype: type });
      form.target = frame.name;
      // With text/plain, name=value is JSON whose last field holds the equals sign.
      input.name = `${body.slice(0, -1)}${body === '{}' ? '' : ','}"x":"`;
      input.value = '"}';
      form.append(input);
      document.body.append(frame, form);
      frame.addEventListener('load', () => resolve());
      form.submit();
    });
  if (target.method === 'GET') {
    await note('cors', fetch(url, { credentials: 'include' }));
    await note('no-cors', fetch(url, { credentials: 'include', mode: 'no-cors' }));
    await new Promise((resolve) => {
      const script = document.createElement('script');
      script.addEventListener('load', resolve);
      script.addEventListener('error', resolve);
      script.src = url;
      document.body.append(script);
    });
    return read;
  }
  const base = { method: target.method, credentials: 'include' };
  const json = { 'content-type': 'application/json' };
  await note('json', fetch(url, { ...base, body, headers: json }));
  // Of the others a page has to ask first whether it may.
  if (target.method !== 'POST') return read;
  for (const content of [body, new Blob([body]), new URLSearchParams({ body }), null]) {
    await note('simple', fetch(url, { ...base, body: content, mode: 'no-cors' }));
    await note(
      'silent',
      fetch(url, { ...base, body: content, mode: 'no-cors', referrerPolicy: 'no-referrer' }),
    );
  }
  navigator.sendBeacon(url, body);
  navigator.sendBeacon(url, new Blob([body]));
  await submit('text/plain');
  await submit('application/x-www-form-urlencoded');
  return read;
};
