import Support
import Testing

/// No number traps.
@Test(arguments: [
  (0.0, 0), (2.9, 2), (-2.9, -2), (1e300, Int.max), (-1e300, Int.min), (Double.infinity, Int.max),
  (-Double.infinity, Int.min), (Double.nan, 0), (9.3e18, Int.max), (-9.3e18, Int.min),
  (Double.leastNonzeroMagnitude, 0),
]) func doublesBecomeTheNearestInteger(value: Double, integer: Int) {
  #expect(Int(saturating: value) == integer)
}
