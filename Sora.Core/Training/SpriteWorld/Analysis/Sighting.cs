namespace Sora.Training.SpriteWorld.Analysis;

/// <summary>A subject found in a frame.</summary>
/// <param name="X">Its centre as a fraction of the frame's width.</param>
/// <param name="Y">Its centre as a fraction of the frame's height.</param>
/// <param name="Extent">Its longer side as a fraction of the frame's shorter side.</param>
/// <param name="Gain">
/// How much squared difference from the background it explains; see <see cref="TemplateSearch"/>.
/// </param>
internal readonly record struct Sighting(float X, float Y, float Extent, float Gain);
