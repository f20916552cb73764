"""What people read: one pure fold each, live, rebuilt from nothing, or as of a past moment."""
