namespace Sora.VideoVae;

/// <summary>
/// Blocks of p×p pixels as channels (Wan 2.2): channel c·p² + r·p + q holds the pixel r to the right and q down.
/// </summary>
internal static class PixelPatches
{
    /// <summary>[B, C, T, H, W] → [B, C·p², T, H/p, W/p].</summary>
    public static Tensor Cut(Tensor x, int p)
    {
        long b = x.size(0), c = x.size(1), t = x.size(2), h = x.size(3) / p, w = x.size(4) / p;
        return x.reshape(b, c, t, h, p, w, p).permute(0, 1, 6, 4, 2, 3, 5).reshape(b, c * p * p, t, h, w);
    }

    /// <summary>[B, C·p², T, H, W] → [B, C, T, H·p, W·p].</summary>
    public static Tensor Join(Tensor x, int p)
    {
        long b = x.size(0), c = x.size(1) / (p * p), t = x.size(2), h = x.size(3), w = x.size(4);
        return x.reshape(b, c, p, p, t, h, w).permute(0, 1, 4, 5, 3, 6, 2).reshape(b, c, t, h * p, w * p);
    }
}
