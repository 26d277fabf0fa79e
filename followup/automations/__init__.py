"""What a patient hears after a visit: the declarations (`visits`), and whom they are for (`subjects`)."""
