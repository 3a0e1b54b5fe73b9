import Kernels

/// The kernels for AVX2 and FMA.
package func avx2Kernels() -> KernelTable {
  KernelTable(
    name: "avx2",
    lanes: AVX2Lanes.count,
    rows: AVX2Lanes.rows,
    packColumns: {
      packColumns(
        AVX2Lanes.self,
        depth: $0,
        columns: $1,
        b: $2,
        depthStride: $3,
        columnStride: $4,
        into: $5
      )
    },
    convolve: {
      convolve(AVX2Lanes.self, $0, first: $1, last: $2, sums: $3, squares: $4, scratch: $5)
    },
    convolveBackward: {
      convolveBackward(
        AVX2Lanes.self,
        $0,
        first: $1,
        last: $2,
        filter: $3,
        sums: $4,
        products: $5,
        scratch: $6
      )
    },
    finishGradientRows: {
      finishGradientRows(
        AVX2Lanes.self,
        $0,
        first: $1,
        count: $2,
        gradient: $3 + $1 * $0.stride,
        gradientStride: $0.stride,
        into: $3,
        accumulate: false,
        sums: $4,
        products: $5
      )
    },
    depthwise: { depthwise(AVX2Lanes.self, $0, out: $1, sums: $2, squares: $3, scratch: $4) },
    depthwiseBackward: {
      depthwiseBackward(
        AVX2Lanes.self,
        $0,
        gradient: $1,
        out: $2,
        accumulate: $3,
        filterGradient: $4,
        sums: $5,
        products: $6,
        scratch: $7
      )
    },
    weightedSum: {
      weightedSum(
        AVX2Lanes.self,
        branches: $0,
        count: $1,
        channels: $2,
        first: $3,
        last: $4,
        out: $5
      )
    },
    branchSums: {
      branchSums(
        AVX2Lanes.self,
        branch: $0,
        gradient: $1,
        channels: $2,
        first: $3,
        last: $4,
        sums: $5,
        products: $6,
        dots: $7
      )
    },
    materialise: { materialise(AVX2Lanes.self, $0, first: $1, last: $2, out: $3) },
    averageRows: { averageRows(AVX2Lanes.self, $0, first: $1, rows: $2, out: $3) },
    averageRowsBackward: {
      averageRowsBackward(
        AVX2Lanes.self,
        $0,
        gradient: $1,
        first: $2,
        rows: $3,
        out: $4,
        accumulate: $5,
        sums: $6,
        products: $7
      )
    },
    addScaled: { addScaled(AVX2Lanes.self, count: $0, $1, $2, into: $3) },
    scale: { scale(AVX2Lanes.self, count: $0, $1, $2, into: $3) },
    stochasticGradientDescent: {
      stochasticGradientDescent(
        AVX2Lanes.self,
        count: $0,
        weights: $1,
        gradient: $2,
        velocity: $3,
        rate: $4,
        momentum: $5,
        decay: $6
      )
    }
  )
}
