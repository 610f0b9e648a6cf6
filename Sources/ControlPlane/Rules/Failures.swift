internal import Blocks
internal import Catalog
internal import ObjectStore
internal import Repository
internal import VolumeEngine

/// Turns what the rooms below throw into a ``ServiceError``, once, at the border.
extension ServiceError {
    /// Runs `body`; whatever it throws comes out as a service error about `noun`.
    static func about<R>(_ noun: Noun, _ body: () async throws -> R) async throws -> R {
        do { return try await body() } catch { throw ServiceError.from(error, noun) }
    }

    /// The service error that says the same as `error`.
    static func from(_ error: any Error, _ noun: Noun) -> ServiceError {
        switch error {
        case let error as ServiceError: error
        case let error as CatalogFailure: from(catalog: error)
        case let error as VolumeFailure: from(volume: error)
        case let error as RepositoryFailure: from(repository: error)
        case let error as StoreFailure: from(store: error)
        case let error as BlockFailure: from(block: error, noun)
        case let error as DiskFailure: from(disk: error, noun)
        case is CancellationError: ServiceError(.unavailable, noun, "the server is stopping", cause: error)
        default: ServiceError(.internalFault, noun, "something went wrong in the server", cause: error)
        }
    }

    private static func from(catalog error: CatalogFailure) -> ServiceError {
        let code: Code =
            switch error {
            case .busy, .notAccessible, .closed: .unavailable
            case .noSpace: .noSpace
            case .corrupt: .corrupt
            case .newerSchema, .foreignMigration: .unsupported
            case .constraint, .statement: .internalFault
            }
        return ServiceError(code, .house, "\(error)", cause: error)
    }

    private static func from(volume error: VolumeFailure) -> ServiceError {
        switch error {
        case .disk(let failure): from(disk: failure, .volume)
        case .block(let failure, let doing):
            ServiceError(code(of: failure), .volume, "\(doing) failed: \(failure)", cause: error)
        case .corrupt, .copied: ServiceError(.corrupt, .volume, "\(error)", cause: error)
        case .newerFormat: ServiceError(.unsupported, .volume, "\(error)", cause: error)
        case .wrongState: ServiceError(.wrongState, .volume, "\(error)", cause: error)
        }
    }

    private static func from(repository error: RepositoryFailure) -> ServiceError {
        let code: Code =
            switch error {
            case .missing: .missing
            case .alreadyExists, .broken, .parentGone: .wrongState
            case .notARepository, .keyMissing: .unavailable
            case .invalid: .invalid
            case .newerFormat: .unsupported
            case .corrupt: .corrupt
            case .store(let failure): from(store: failure).code
            case .content(let failure): Self.code(of: failure)
            case .cancelled: .unavailable
            }
        let noun: Noun =
            switch error {
            case .missing, .alreadyExists, .content, .broken, .cancelled, .parentGone, .keyMissing: .snapshot
            case .notARepository, .newerFormat, .corrupt, .store, .invalid: .store
            }
        return ServiceError(code, noun, "\(error)", cause: error)
    }

    private static func from(store error: StoreFailure) -> ServiceError {
        let code: Code =
            switch error {
            case .missing, .truncated: .corrupt
            case .transient, .permanent: .unavailable
            }
        return ServiceError(code, .store, "\(error)", cause: error)
    }

    private static func from(block error: BlockFailure, _ noun: Noun) -> ServiceError {
        ServiceError(code(of: error), noun, "\(error)", cause: error)
    }

    private static func from(disk error: DiskFailure, _ noun: Noun) -> ServiceError {
        ServiceError(code(of: error.blockFailure), noun, "\(error)", cause: error)
    }

    private static func code(of failure: BlockFailure) -> Code {
        switch failure {
        case .outOfRange: .invalid
        case .readOnly: .wrongState
        case .noSpace: .noSpace
        case .io, .failed, .unavailable: .unavailable
        case .corrupt: .corrupt
        case .unsupported: .unsupported
        }
    }
}
