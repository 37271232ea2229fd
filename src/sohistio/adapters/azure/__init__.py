"""Azure: logins, tokens, and what the resource manager tells of a cluster. The only room that knows its libraries."""
