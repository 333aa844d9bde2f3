using TorchSharp.Modules;

namespace TorchSharp
{
    /// <summary>How a tensor is padded.</summary>
    public enum PaddingModes
    {
        /// <summary>With one value.</summary>
        Constant = 0,
    }

    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>How a loss is gathered from its elements; the values are TorchSharp's.</summary>
            public enum Reduction : long
            {
                /// <summary>Not at all.</summary>
                None = 0,

                /// <summary>The mean.</summary>
                Mean = 1,

                /// <summary>The sum.</summary>
                Sum = 2,
            }

            /// <summary>Functions of networks.</summary>
            public static class functional
            {
                /// <summary>x·Wᵀ + b.</summary>
                public static Tensor linear(Tensor input, Tensor weights, Tensor? bias = null) =>
                    Op.Linear.Call(input, weights, bias);

                /// <summary>The 3-D convolution of [B, C, T, H, W].</summary>
                public static Tensor conv3d(Tensor input, Tensor weight, Tensor? bias = null, long[]? strides = null, long[]? padding = null, long[]? dilation = null, long groups = 1) =>
                    Convolve(Op.Conv3d, input, weight, bias, strides ?? [1, 1, 1], padding ?? [0, 0, 0], dilation ?? [1, 1, 1], groups);

                /// <summary>The 2-D convolution of [B, C, H, W].</summary>
                public static Tensor conv2d(Tensor input, Tensor weight, Tensor? bias = null, long[]? strides = null, long[]? padding = null, long[]? dilation = null, long groups = 1) =>
                    Convolve(Op.Conv2d, input, weight, bias, strides ?? [1, 1], padding ?? [0, 0], dilation ?? [1, 1], groups);

                /// <summary>The Gaussian error linear unit, exact or by its tanh approximation.</summary>
                public static Tensor gelu(Tensor x, GELU.Approximate approximate) =>
                    Op.Gelu.Call(x, approximate == GELU.Approximate.tanh ? "tanh" : "none");

                /// <summary>x times its logistic function.</summary>
                public static Tensor silu(Tensor x) => Op.Silu.Call(x);

                /// <summary>Zero mean and unit variance over the last axes, then a gain and an offset.</summary>
                public static Tensor layer_norm(Tensor input, long[] normalized_shape, Tensor? weight = null, Tensor? bias = null, double eps = 1e-5) =>
                    Op.LayerNorm.Call(input, normalized_shape, weight, bias, eps);

                /// <summary>Padding, last axis first: (left, right, top, bottom, front, back).</summary>
                public static Tensor pad(Tensor input, long[] pad, PaddingModes mode = PaddingModes.Constant, double value = 0) =>
                    Op.ConstantPadNd.Call(input, pad, value);

                /// <summary>The squared error.</summary>
                public static Tensor mse_loss(Tensor input, Tensor target, Reduction reduction = Reduction.Mean) =>
                    Op.MseLoss.Call(input, target, (long)reduction);

                /// <summary>The absolute error.</summary>
                public static Tensor l1_loss(Tensor input, Tensor target, Reduction reduction = Reduction.Mean) =>
                    Op.L1Loss.Call(input, target, (long)reduction);

                /// <summary>
                /// softmax(q·kᵀ/√d)·v over [..., N, d]. Large products are cut into groups of queries, so that no more
                /// than a bounded part of the N×N matrix exists at a time.
                /// </summary>
                /// <exception cref="NotSupportedException">A mask, dropout or causality is asked for.</exception>
                public static Tensor scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask = null, double p = 0.0, bool is_casual = false)
                {
                    if (p != 0 || is_casual)
                        throw new NotSupportedException("This engine's attention has no dropout and no causal mask.");
                    return Attention.Apply(query, key, value, attn_mask);
                }

                // In bfloat16 libtorch's own, or in float32 where that is a plain loop which adds up in bfloat16.
                private static Tensor Convolve(Operator convolution, Tensor input, Tensor weight, Tensor? bias, long[] strides, long[] padding, long[] dilation, long groups)
                {
                    if (SystemEngine.LibraryHasBFloat16 || input.dtype != bfloat16 || input.device_type != DeviceType.CPU)
                        return convolution.Call(input, weight, bias, strides, padding, dilation, groups);
                    using Tensor wideInput = input.to(float32), wideWeight = weight.to(float32);
                    using Tensor? wideBias = bias?.to(float32);
                    using Tensor result = convolution.Call(wideInput, wideWeight, wideBias, strides, padding, dilation, groups);
                    return result.to(bfloat16);
                }
            }
        }
    }

    namespace Modules
    {
        /// <summary>The Gaussian error linear unit.</summary>
        public static class GELU
        {
            /// <summary>Which formula is used.</summary>
            public enum Approximate
            {
                /// <summary>With the error function.</summary>
                none,

                /// <summary>With a hyperbolic tangent.</summary>
                tanh,
            }
        }
    }
}
