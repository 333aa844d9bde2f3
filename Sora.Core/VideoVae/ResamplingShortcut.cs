namespace Sora.VideoVae;

/// <summary>
/// The parameter-free shortcuts of the residual VAE (Wan 2.2): space and time moved into channels and averaged, or
/// channels repeated and moved out into space and time. Frames are channels-last [B, T, H, W, C].
/// </summary>
internal static class ResamplingShortcut
{
    /// <summary>
    /// To [B, T/ft, H/fs, W/fs, outputs]: each output is the mean of a group of the C·ft·fs² values, counted in the order
    /// channel, time, height, width. An odd count of frames is filled up with zero frames in front, which take part in
    /// the mean.
    /// </summary>
    public static Tensor Average(Tensor x, long outputs, int factorT, int factorS)
    {
        long missing = (factorT - (x.size(1) % factorT)) % factorT;
        if (missing > 0)
            x = nn.functional.pad(x, [0, 0, 0, 0, 0, 0, missing, 0]);
        long b = x.size(0), t = x.size(1) / factorT, h = x.size(2) / factorS, w = x.size(3) / factorS, c = x.size(4);
        if (factorT * factorS == 1 && outputs == c)
            return x;
        return x.reshape(b, t, factorT, h, factorS, w, factorS, c)
            .permute(0, 1, 3, 5, 7, 2, 4, 6)                                               // B T H W C ft fs fs
            .reshape(b, t, h, w, outputs, -1)
            .mean([5]);
    }

    /// <summary>To [B, T·ft, H·fs, W·fs, outputs], without the first ft − 1 frames at the start of a video.</summary>
    public static Tensor Duplicate(Tensor x, long outputs, int factorT, int factorS, bool start)
    {
        long b = x.size(0), t = x.size(1), h = x.size(2), w = x.size(3), c = x.size(4);
        long repeats = outputs * factorT * factorS * factorS / c;
        Tensor y = x.unsqueeze(5).expand(b, t, h, w, c, repeats)
            .reshape(b, t, h, w, outputs, factorT, factorS, factorS)
            .permute(0, 1, 5, 2, 6, 3, 7, 4)                                               // B T ft H fs W fs C
            .reshape(b, t * factorT, h * factorS, w * factorS, outputs);
        return start ? y.narrow(1, factorT - 1, y.size(1) - factorT + 1) : y;
    }
}
