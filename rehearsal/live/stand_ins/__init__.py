"""What answers under AWS's names?"""
