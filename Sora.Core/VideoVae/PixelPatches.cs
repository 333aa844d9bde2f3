namespace Sora.VideoVae;

/// <summary>
/// Blocks of p×p pixels as channels (Wan 2.2): channel c·p² + r·p + q holds the pixel r to the right and q down.
/// </summary>
internal static class PixelPatches
{
    /// <summary>[B, C, T, H, W] → channels-last [B, T, H/p, W/p, C·p²].</summary>
    public static Tensor Cut(Tensor x, int p)
    {
        long b = x.size(0), c = x.size(1), t = x.size(2), h = x.size(3) / p, w = x.size(4) / p;
        return x.reshape(b, c, t, h, p, w, p).permute(0, 2, 3, 5, 1, 6, 4).reshape(b, t, h, w, c * p * p);
    }

    /// <summary>Channels-last [B, T, H, W, C·p²] → [B, C, T, H·p, W·p].</summary>
    public static Tensor Join(Tensor x, int p)
    {
        long b = x.size(0), t = x.size(1), h = x.size(2), w = x.size(3), c = x.size(4) / (p * p);
        return x.reshape(b, t, h, w, c, p, p).permute(0, 4, 1, 2, 6, 3, 5).reshape(b, c, t, h * p, w * p);
    }
}
