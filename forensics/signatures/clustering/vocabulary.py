"""English words that distinguish a name from a statement in a log line."""

from __future__ import annotations

_BEFORE_A_NAME = (
    "user users username uid name named host hostname client server peer address addr file files filename path dir directory folder"
    " process pid thread service daemon unit job task module package pkg plugin driver device interface iface port command cmd program"
    " executable session domain container image pod node volume disk partition group owner account database db table topic queue key id"
    " uuid token tag version image model"
)
_BEFORE_A_STATEMENT = (
    "code status result reason error err errno signal sig state type level severity event action op operation exit ret rc mode"
)
_OF_STATES = (
    "on off up down true false yes no ok good bad enable enabled disable disabled open opened close closed start started starting"
    " stop stopped stopping begin began end ended pause paused resume resumed suspend suspended connect connected disconnect"
    " disconnected success succeeded successful fail failure failed accept accepted reject rejected allow allowed deny denied"
    " grant granted refuse refused add added remove removed create creating created delete deleting deleted insert inserted"
    " login logout active inactive online offline valid invalid known unknown read write get set put send sent receive received"
    " lock locked unlock unlocked acquire acquired release released mount mounted unmount unmounted attach attached detach detached"
    " load loaded unload unloaded install installed uninstall uninstalled upload download before after first last"
    " min max minimum maximum high low in out to from running waiting pending ready idle busy done complete completed finished"
    " aborted cancelled canceled killed dead alive healthy unhealthy available unavailable found missing present absent"
    " master slave leader follower primary secondary input output increased decreased increase decrease"
    " expired renewed registered unregistered register unregister import export passed skipped primary standby"
)

INTRODUCES = frozenset(_BEFORE_A_NAME.split())
STATES_WHAT = frozenset(_BEFORE_A_STATEMENT.split())
STATES = frozenset(_OF_STATES.split())  # a state of several, or the opposite of another word
