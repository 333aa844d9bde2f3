using System.Text.Json.Serialization;
using Sora.Latents;
using Sora.Sampling;

namespace Sora.Training;

/// <summary>
/// Draws the noise level of every latent frame of a clip. Most clips have one level; in the others some frames are known
/// (level 0: a first frame, a last one, both, a beginning, an end, any), or every frame has a level of its own. One
/// network thereby learns to generate, animate, extend and fill in (design of diffusion forcing, Chen et al. 2024).
/// </summary>
/// <param name="Mean">The mean of the logit of the level.</param>
/// <param name="Deviation">Its standard deviation (logit-normal, Esser et al. 2024).</param>
/// <param name="KnownShare">The share of clips with known frames.</param>
/// <param name="IndependentShare">The share of clips with a level for each frame.</param>
/// <param name="ShiftTokens">
/// The number of patches of a clip whose levels are as drawn; those of larger clips are moved towards noise, of smaller ones towards
/// the data (<see cref="SizeShift"/>). Null: sizes make no difference.
/// </param>
[method: JsonConstructor]
public readonly record struct NoiseLevels(double Mean, double Deviation, double KnownShare, double IndependentShare, int? ShiftTokens = null)
{
    private static readonly ValueRange<int> s_tokens = new(1, 1_000_000);

    /// <summary>The number of patches of a clip whose levels are as drawn; null: of any.</summary>
    /// <value>1 to 1000000, or null.</value>
    public int? ShiftTokens { get; init => field = s_tokens.Require("noise.shift_tokens", value); } = s_tokens.Require("noise.shift_tokens", ShiftTokens);

    /// <summary>The levels of one clip's frames, 0 (known) or in (0, 1).</summary>
    /// <param name="random">The clip's random numbers.</param>
    /// <param name="frames">The number of latent frames.</param>
    /// <param name="tokens">The number of patches.</param>
    public float[] Draw(GaussianNoise random, int frames, long tokens)
    {
        double shift = SizeShift.Of(tokens, ShiftTokens);
        var levels = new float[frames];
        Span<float> normals = stackalloc float[1];
        double choice = random.Uniform(1);
        bool independent = frames > 1 && choice < IndependentShare;
        for (int frame = 0; frame < frames; frame++)
        {
            random.Fill(normals, (ulong)(independent ? 16 + frame : 16));
            levels[frame] = (float)NoiseSchedule.Shift(1 / (1 + Math.Exp(-(Mean + (Deviation * normals[0])))), shift);
        }
        if (frames > 1 && choice >= IndependentShare && choice < IndependentShare + KnownShare)
            MakeKnown(levels, random);
        return levels;
    }

    private static void MakeKnown(float[] levels, GaussianNoise random)
    {
        int frames = levels.Length;
        int length = 1 + (int)(random.Uniform(3) * (frames - 1));
        switch ((int)(random.Uniform(2) * 8))
        {
            case 0 or 1 or 2:
                levels[0] = 0;
                break;
            case 3:
                levels[^1] = 0;
                break;
            case 4:
                levels[0] = 0;
                if (frames > 2)
                    levels[^1] = 0;
                break;
            case 5:
                Array.Clear(levels, 0, length);
                break;
            case 6:
                Array.Clear(levels, frames - length, length);
                break;
            default:
                levels[(int)(random.Uniform(4) * frames)] = 0;
                break;
        }
    }
}
