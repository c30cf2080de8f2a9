"""What the app does; knows no request, no template, no queue."""
