import bellboard.protocol as face


def test_the_face_is_a_sorted_list_of_names_that_are_there() -> None:
    assert face.__all__ == sorted(face.__all__)
    assert [name for name in face.__all__ if not hasattr(face, name)] == []
