internal import ControlPlane
internal import Foundation
internal import ObjectStore
internal import S3
internal import S3Network

/// Opens stores by their URL, with what the environment says of keys.
struct S3Opener: StoreOpener {
    func store(at location: String) throws -> any ObjectStore {
        let environment = ProcessInfo.processInfo.environment
        do {
            let place = try S3Location(location, environment: environment)
            let keys = S3Credentials(try S3Credentials.source(for: place, environment: environment))
            let exchange = try NetworkExchange(authorities: place.authorities, silenceMax: place.timeout)
            return S3Store(place, credentials: keys, exchange: exchange)
        } catch { throw ServiceError(.invalid, .store, "\(error)") }
    }

    /// Refuses what cannot be a store's URL, before anything is opened.
    static func check(_ text: String) throws {
        do { _ = try S3Location(text, environment: ProcessInfo.processInfo.environment) } catch {
            throw CommandFailure.usage("\(error)")
        }
    }
}
