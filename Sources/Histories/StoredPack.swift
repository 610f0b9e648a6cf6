internal import Repository

/// The repository's record of a captured pack; the engine has one of the same name.
typealias StoredPack = CapturedPack
