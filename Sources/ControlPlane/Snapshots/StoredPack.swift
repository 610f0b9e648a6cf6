internal import Repository

/// The repository's word for a captured pack; the engine has one of the same name.
typealias StoredPack = CapturedPack
