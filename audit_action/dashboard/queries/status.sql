select
  "check",
  ok,
  detail
from audit.status();
