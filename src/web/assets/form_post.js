// Sends the answer on. Without JavaScript the Continue button does the same.
document.forms[0].submit();
