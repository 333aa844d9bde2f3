using Sora.Conditioning;
using Sora.Patches;
using Sora.Sampling;

namespace Sora.Transformer;

/// <summary>One video of a packed batch, as the denoiser needs it.</summary>
/// <param name="Guidance">The strength; where it is off the negative text is not used.</param>
/// <param name="Text">The prompt's vectors [1, L, text_dim].</param>
/// <param name="Negative">The negative prompt's vectors [1, L, text_dim].</param>
/// <param name="Grid">The patches of the video.</param>
/// <param name="Conditioning">How known frames take part.</param>
/// <param name="Time">How the video's time runs.</param>
public sealed record GuidedVideo(Guidance Guidance, Tensor Text, Tensor Negative, PatchGrid Grid, IConditioning Conditioning, IVideoTime Time);
