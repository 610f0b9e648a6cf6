public import ObjectStore

/// Makes the store that a location such as `s3://bucket/prefix` names. The house itself knows directories; what needs a
/// network comes from outside, through this.
public protocol StoreOpener: Sendable {
    /// The store at `location`; it is not asked anything yet.
    ///
    /// - Throws: ``ServiceError`` `invalid` for a location that makes no sense here.
    func store(at location: String) throws -> any ObjectStore
}
