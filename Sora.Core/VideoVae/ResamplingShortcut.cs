namespace Sora.VideoVae;

/// <summary>
/// The parameter-free shortcuts of the residual VAE (Wan 2.2): space and time moved into channels and averaged, or
/// channels repeated and moved out into space and time.
/// </summary>
internal static class ResamplingShortcut
{
    /// <summary>
    /// [B, C, T, H, W] → [B, outputs, T/ft, H/fs, W/fs]: each output is the mean of a group of the C·ft·fs² values. An
    /// odd count of frames is filled up with zero frames in front, which take part in the mean.
    /// </summary>
    public static Tensor Average(Tensor x, long outputs, int factorT, int factorS)
    {
        long missing = (factorT - (x.size(2) % factorT)) % factorT;
        if (missing > 0)
            x = nn.functional.pad(x, [0, 0, 0, 0, missing, 0]);
        long b = x.size(0), c = x.size(1), t = x.size(2) / factorT, h = x.size(3) / factorS, w = x.size(4) / factorS;
        return x.reshape(b, c, t, factorT, h, factorS, w, factorS)
            .permute(0, 1, 3, 5, 7, 2, 4, 6)                                               // B C ft fs fs T H W
            .reshape(b, outputs, -1, t, h, w)
            .mean([2]);
    }

    /// <summary>
    /// [B, C, T, H, W] → [B, outputs, T·ft, H·fs, W·fs], without the first ft − 1 frames at the start of a video.
    /// </summary>
    public static Tensor Duplicate(Tensor x, long outputs, int factorT, int factorS, bool start)
    {
        long b = x.size(0), c = x.size(1), t = x.size(2), h = x.size(3), w = x.size(4);
        long repeats = outputs * factorT * factorS * factorS / c;
        Tensor y = x.repeat_interleave(repeats, 1)
            .view(b, outputs, factorT, factorS, factorS, t, h, w)
            .permute(0, 1, 5, 2, 6, 3, 7, 4)                                               // B C T ft H fs W fs
            .reshape(b, outputs, t * factorT, h * factorS, w * factorS);
        return start ? y.narrow(2, factorT - 1, y.size(2) - factorT + 1) : y;
    }
}
