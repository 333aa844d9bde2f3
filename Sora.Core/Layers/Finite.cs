namespace Sora.Layers;

/// <summary>Stops at the stage where numbers stop being numbers.</summary>
internal static class Finite
{
    /// <summary>Whether no element is NaN or infinite.</summary>
    public static bool Is(Tensor tensor)
    {
        using DisposeScope scope = NewDisposeScope();
        // The sum of x·0 is 0 for numbers and NaN otherwise: one pass, no mask in memory.
        return !float.IsNaN((tensor * 0).sum().to(float32).cpu().item<float>());
    }

    /// <summary>Requires that no element is NaN or infinite.</summary>
    /// <exception cref="NotFiniteException">One is; the message names the stage.</exception>
    public static Tensor Require(Tensor tensor, string stage) => Is(tensor) ? tensor : throw new NotFiniteException(stage);
}
