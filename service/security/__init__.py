"""Who is somebody, what may they do, and who did what?"""
