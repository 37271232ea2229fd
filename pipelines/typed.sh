# What was typed into a run, for the script that sources this file: `words` (flags and version), `version`, `approval`.
# Flags are taken from a list for each action: nothing on it names another target, or makes a step show instead of do.
# What is not on it ends the step with exit code 2.

wrong() { # what is wrong, with what was typed made harmless: an agent obeys `##vso[`
  local said=${1//[^[:alnum:] \'.,:;=_()\/-]/?}
  printf '##vso[task.logissue type=error;code=wrong-usage]%s. What to do: %s\n' "$said" "$2" >&2
  exit 2
}

words=() version=() approval=(--yes)
valued='' alone=''
case "$TYPED_ACTION" in # options that all commands of an action have
  install) valued='--skip-check --mode --via' ;;
  uninstall)
    valued='--skip-check --component-timeout --timeout'
    alone='--with-sidecars --restart-workloads --purge --include-ca'
    ;;
  failover)
    valued='--accept --because --watch --component-timeout --timeout'
    alone='--drain-prod'
    ;;
  failback) valued='--accept --because --watch --component-timeout --timeout' ;;
  rehearse) valued='--accept --because --component-timeout --timeout' ;;
esac
allowed="for $TYPED_ACTION leave flags at none"
if [ -n "$valued" ]; then
  allowed="for $TYPED_ACTION there are ${valued// /, } with a value${alone:+, and ${alone// /, }}"
fi
allowed+='; environment, version, reason and confirm are parameters of their own.'

if [ "$TYPED_FLAGS" != none ]; then
  if [[ "$TYPED_FLAGS" == *[[:cntrl:]]* ]]; then wrong 'flags are not one line' 'write all of them in one line.'; fi
  read -r -a words <<< "$TYPED_FLAGS"
fi
option=''
for word in "${words[@]}"; do
  if [ -n "$option" ]; then
    if [[ "$word" == -* ]]; then wrong "flags: $option has no value" "$allowed"; fi
    option=''
  elif [[ " $valued " == *" $word "* ]]; then
    option=$word
  elif [[ "$word" != *=?* || " $valued " != *" ${word%%=*} "* ]] && [[ " $alone " != *" $word "* ]]; then
    wrong "flags: '$word' may not be typed" "$allowed"
  fi
done
if [ -n "$option" ]; then wrong "flags: $option has no value" "$allowed"; fi

if [ "$TYPED_VERSION" != default ]; then version=(--version "$TYPED_VERSION"); words+=("${version[@]}"); fi
if [ "$TYPED_CONFIRM" != none ]; then approval+=(--confirm "$TYPED_CONFIRM"); fi
if [ "$TYPED_REASON" != none ]; then export SOHISTIO_REASON="$TYPED_REASON"; fi
