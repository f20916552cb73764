// What belongs to one member is offered once it is said which: a profession ranks its own needs, and no others.

export function offerOwn(form) {
  for (const group of form.querySelectorAll("[data-of]")) {
    const owner = form.elements[group.dataset.of]?.value ?? "";
    const isOwn = each => !owner || each.dataset.owner === owner;
    for (const select of group.querySelectorAll("select")) {
      // What is chosen stays in sight: nothing that somebody has said goes away by itself.
      for (const each of select.options) each.hidden = each.value !== "" && !isOwn(each) && !each.selected;
    }
    hideIdle(group, isOwn);
  }
}

// As many places as there is to rank, and those in which something stands.
function hideIdle(group, isOwn) {
  const selects = [...group.querySelectorAll("select")];
  const count = [...selects[0]?.options ?? []].filter(each => each.value && isOwn(each)).length;
  selects.forEach((select, number) => {
    for (const each of [select, ...select.labels]) each.hidden = number >= count && !select.value;
  });
}
