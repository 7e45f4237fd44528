"""Service: bellboard as a service of this user, started at login by systemd or launchd."""
